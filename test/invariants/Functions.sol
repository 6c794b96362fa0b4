// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAdmin} from "../../contracts/interfaces/IAdmin.sol";
import {IBulk} from "../../contracts/interfaces/IBulk.sol";
import {IConsensus} from "../../contracts/interfaces/IConsensus.sol";
import {IDeals} from "../../contracts/interfaces/IDeals.sol";
import {IEscrow} from "../../contracts/interfaces/IEscrow.sol";
import {IFailures} from "../../contracts/interfaces/IFailures.sol";
import {IMulticall} from "../../contracts/interfaces/IMulticall.sol";
import {INativeEscrow} from "../../contracts/interfaces/INativeEscrow.sol";
import {IOrders} from "../../contracts/interfaces/IOrders.sol";
import {IStakedToken} from "../../contracts/interfaces/IStakedToken.sol";
import {ITasks} from "../../contracts/interfaces/ITasks.sol";
import {ITokenEscrow} from "../../contracts/interfaces/ITokenEscrow.sol";
import {ITokenSpender} from "../../contracts/interfaces/ITokenSpender.sol";
import {IViews} from "../../contracts/interfaces/IViews.sol";

/// @title Functions
/// @notice Every function of a Hub that may change something; a test compares the lists with the ABI.
library Functions {
    /// @notice Those of a Hub over a token.
    function ofHub() internal pure returns (bytes4[] memory) {
        bytes4[5] memory edge = [
            ITokenEscrow.deposit.selector,
            ITokenEscrow.depositFor.selector,
            ITokenEscrow.depositForArray.selector,
            ITokenEscrow.depositWithPermit.selector,
            ITokenSpender.receiveApproval.selector
        ];
        return _withEdge(abi.encode(edge));
    }

    /// @notice Those of a Hub over the chain's own currency.
    function ofHubNative() internal pure returns (bytes4[] memory) {
        bytes4[3] memory edge = [
            INativeEscrow.deposit.selector,
            INativeEscrow.depositFor.selector,
            INativeEscrow.depositForArray.selector
        ];
        return _withEdge(abi.encode(edge));
    }

    function isRefusedForEver(bytes4 selector) internal pure returns (bool) {
        return
            selector == IViews.configure.selector ||
            selector == IViews.changeRegistries.selector ||
            selector == IViews.renounceOwnership.selector ||
            selector == IViews.importScore.selector;
    }

    function _withEdge(bytes memory edge) private pure returns (bytes4[] memory selectors) {
        bytes memory all = bytes.concat(edge, _money(), _market(), _tasks(), _admin());
        uint256 count = all.length / 32;
        selectors = new bytes4[](count);
        for (uint256 i = 0; i < count; ++i) {
            bytes4 selector;
            assembly ("memory-safe") {
                selector := mload(add(all, mul(32, add(i, 1))))
            }
            selectors[i] = selector;
        }
    }

    function _money() private pure returns (bytes memory) {
        bytes4[10] memory selectors = [
            IEscrow.withdraw.selector,
            IEscrow.withdrawTo.selector,
            IEscrow.recover.selector,
            IERC20.transfer.selector,
            IERC20.transferFrom.selector,
            IERC20.approve.selector,
            IStakedToken.approveAndCall.selector,
            IStakedToken.increaseAllowance.selector,
            IStakedToken.decreaseAllowance.selector,
            IMulticall.multicall.selector
        ];
        return abi.encode(selectors);
    }

    function _market() private pure returns (bytes memory) {
        bytes4[11] memory selectors = [
            IOrders.manageAppOrder.selector,
            IOrders.manageDatasetOrder.selector,
            IOrders.manageWorkerpoolOrder.selector,
            IOrders.manageRequestOrder.selector,
            IOrders.broadcastAppOrder.selector,
            IOrders.broadcastDatasetOrder.selector,
            IOrders.broadcastWorkerpoolOrder.selector,
            IOrders.broadcastRequestOrder.selector,
            IDeals.matchOrders.selector,
            IDeals.sponsorMatchOrders.selector,
            IBulk.attachDatasets.selector
        ];
        return abi.encode(selectors);
    }

    function _tasks() private pure returns (bytes memory) {
        bytes4[13] memory selectors = [
            ITasks.initialize.selector,
            ITasks.initializeArray.selector,
            ITasks.contributeAndFinalize.selector,
            ITasks.settle.selector,
            ITasks.settleBatch.selector,
            ITasks.claim.selector,
            ITasks.claimArray.selector,
            ITasks.initializeAndClaimArray.selector,
            IConsensus.contribute.selector,
            IConsensus.reveal.selector,
            IConsensus.reopen.selector,
            IConsensus.finalize.selector,
            IFailures.settleFailure.selector
        ];
        return abi.encode(selectors);
    }

    function _admin() private pure returns (bytes memory) {
        bytes4[9] memory selectors = [
            IAdmin.transferOwnership.selector,
            IAdmin.createCategory.selector,
            IAdmin.setTeeBroker.selector,
            IAdmin.setCallbackGas.selector,
            IViews.updateDomainSeparator.selector,
            IViews.configure.selector,
            IViews.changeRegistries.selector,
            IViews.renounceOwnership.selector,
            IViews.importScore.selector
        ];
        return abi.encode(selectors);
    }
}
