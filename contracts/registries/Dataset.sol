// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDataset} from "../interfaces/IDataset.sol";
import {Entry} from "./Entry.sol";
import {Fields} from "./Fields.sol";

/// @title Dataset
/// @notice The code behind every dataset; the fields lie in the code of the clone.
contract Dataset is Entry, IDataset {
    uint256 private constant FIELDS = 2;

    /// @inheritdoc IDataset
    function m_datasetName() external view returns (string memory) {
        return string(Fields.fieldOf(address(this), 0, FIELDS));
    }

    /// @inheritdoc IDataset
    function m_datasetMultiaddr() external view returns (bytes memory) {
        return Fields.fieldOf(address(this), 1, FIELDS);
    }

    /// @inheritdoc IDataset
    function m_datasetChecksum() external view returns (bytes32) {
        return Fields.wordOf(address(this));
    }
}
